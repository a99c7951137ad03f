"""The AWS emulator and the deployment to it."""
