"""The commands of `kpisync`, one file for each thing that people come to do."""
