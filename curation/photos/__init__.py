"""What photo files show: content, contrast, text, and which photos are the same one."""
