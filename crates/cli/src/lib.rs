//! The `ganvas` command as a library, so that the suite can build it for each backend.

mod args;
mod backends;
mod config;
mod data;
mod exit;
mod generate;
mod interrupt;
mod logging;
mod output;
mod progress;
mod train;
mod work;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// A step allocates and frees the same large tensors again and again. The system's allocator gives them back to the system
/// each time and pays for fresh pages; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command with the process's own arguments.
///
/// The exit code is 0 for success, 2 for mistakes in arguments or configuration, 1 for failures, 130 after Ctrl-C.
pub fn main() -> ExitCode {
    quiet_drivers();
    let arguments = Arguments::parse();
    logging::start(arguments.verbose, arguments.quiet);
    let result = match arguments.command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Generate(arguments) => generate::generate(&arguments),
        Command::Data(command) => data::data(&command),
        Command::Config(command) => config::config(&command),
        Command::Backends => backends::backends(),
    };
    exit::report(result)
}

/// Without a desktop session (containers, servers, CI), a layer of Mesa's Vulkan looks for a screen and prints errors that
/// mean nothing here. It can be left out.
fn quiet_drivers() {
    if cfg!(target_os = "linux") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread runs yet that could read the environment at the same time.
        #[allow(unsafe_code)] // There is no safe way to set a variable that a C library reads.
        unsafe {
            std::env::set_var("NODEVICE_SELECT", "1");
        }
    }
}
