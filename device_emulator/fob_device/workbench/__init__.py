"""What a test engineer does to the emulated phone while it runs: `Workbench` (docs/device.md, "The workbench")."""
