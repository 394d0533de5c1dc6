"""The `ssh` provider: machines that exist already, reached by SSH, given back afterwards."""
