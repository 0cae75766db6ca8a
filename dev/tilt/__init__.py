"""What `tilt up` adds to the cluster for development; see the Tiltfile."""
