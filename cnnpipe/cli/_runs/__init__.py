"""The verbs of `cnnpipe runs`. One file per verb."""
