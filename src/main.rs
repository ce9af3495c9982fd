//! argv → lib → exit code.

fn main() -> std::process::ExitCode {
    coredeck::cli::run(std::env::args_os())
}
