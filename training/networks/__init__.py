"""Networks: building, predicting, saving and exporting them."""
