"""The local run: Longplay deployed to an emulator on this machine, called once, and served until interrupted."""
