// The thin main of the daemon and its sub-commands; all of it is in the library.
#include "cli/main_cli.hpp"

int main(int argc, char** argv) { return vkhost::cli::main_cli(argc, argv); }
