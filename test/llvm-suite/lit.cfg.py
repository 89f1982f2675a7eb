# Configuration for LLVM's lit. `run` passes the folders and programs of one run in the environment.
import os
import lit.formats

config.name = "llvm-profgen"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".test"]
config.excludes = ["Inputs"]
config.test_exec_root = os.environ["SUITE_OUTPUT"]
# The features that LLVM's own configuration would find on this machine.
config.available_features.update({"x86_64-linux", "x86-registered-target"})
for name, value in os.environ.items():
    if name == "PATH" or name.startswith("SUITE_"):
        config.environment[name] = value
