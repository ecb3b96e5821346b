"""Where the parts of a stage are computed: in this process, or as tasks of a Ray cluster."""
