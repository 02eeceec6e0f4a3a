#!/usr/bin/env python3
"""Django's command line for RTCC Geo; `./rtcc run NAME` calls it with the instance's environment."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
    from django.core.management import execute_from_command_line

    from apps.audit.acting import acting_as, at_the_command_line

    with acting_as(at_the_command_line):
        execute_from_command_line(sys.argv)
