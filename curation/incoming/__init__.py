"""New listings: judged by a finished run, by what it learned, without training anything."""
