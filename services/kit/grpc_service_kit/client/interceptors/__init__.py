"""What is done to every outgoing call, one file each; `channel.py` puts the steps in order."""
