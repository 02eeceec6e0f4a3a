"""Parts of ./rtcc that stand alone: standard library only, since they run before anything is installed."""
