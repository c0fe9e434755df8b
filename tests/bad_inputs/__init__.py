"""Bad inputs by the hundred: what may be in a file, a folder, an archive, a profile, a model or a command."""
