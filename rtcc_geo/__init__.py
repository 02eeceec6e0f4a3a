"""The project: settings, addresses, the catalog, the processes. The launcher imports parts of it with bare Python, so nothing here
may need a package."""
