"""Single models of a dataset: trained, compared, tuned, used on new listings."""
