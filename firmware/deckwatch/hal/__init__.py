"""The only files that touch hardware, operating system or radio; each is thin enough to be read
against the data sheet."""
