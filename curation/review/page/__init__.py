"""The review as one page, without MongoDB, server or network."""
