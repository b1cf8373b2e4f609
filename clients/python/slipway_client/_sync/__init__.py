# Written from _async by `make openapi`; do not edit.
