//! The `ganvas` command as a library, so that the suite can build it for each backend.

mod args;
mod backends;
mod bench;
mod config;
mod data;
mod exit;
mod experiment;
mod explain;
mod generate;
mod interrupt;
mod jobs;
mod logging;
mod output;
mod progress;
mod screen;
mod train;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// A step allocates and frees the same large tensors again and again. The system's allocator gives them back to the system
/// each time and pays for new pages; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command with the process's own arguments.
///
/// The exit code is 0 for success, 2 for mistakes in arguments or configuration, 1 for failures, 130 after Ctrl-C.
pub fn main() -> ExitCode {
    keep_memory();
    quiet_drivers();
    let arguments = Arguments::parse();
    logging::start(arguments.verbose, arguments.quiet);
    let result = match arguments.command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Generate(arguments) => generate::generate(&arguments),
        Command::Data(command) => data::data(&command),
        Command::Config(command) => config::config(&command),
        Command::Backends => backends::backends(),
    };
    exit::report(result)
}

/// The allocator gives memory back to the system a tenth of a second after it was freed, and asks for it anew in the next step;
/// the new pages are an eighth of a step of `configs/blog.toml`. A training uses all of it again and again.
fn keep_memory() {
    // `mi_option_purge_delay` of mimalloc.h, versions 2 and 3; -1 is never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets a number in the allocator, which this program uses.
    #[allow(unsafe_code)] // The switch is a function of a C library.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
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
