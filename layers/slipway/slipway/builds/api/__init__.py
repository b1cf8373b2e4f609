"""The routes of builds: requests, reads, streams' tickets."""
