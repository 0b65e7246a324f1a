//! The `ganvas` command as a library, so that the suite can build it for each backend.

mod animation;
mod args;
mod asked_class;
mod backends;
mod bench;
mod color;
mod config;
mod data;
mod ended;
mod evaluate;
mod evaluator;
mod exit;
mod experiment;
mod explain;
mod export;
mod export_readme;
mod generate;
mod image_files;
mod images;
mod info;
mod interpolate;
mod interrupt;
mod jobs;
mod logging;
mod memory;
mod morph;
mod output;
mod outputs;
mod progress;
mod progress_line;
mod quality;
mod quoting;
mod screen;
mod shell;
mod shipped;
mod start;
mod timeline;
mod train;
mod version;
mod words;

use std::process::ExitCode;

use args::Command;

/// A step allocates and frees the same large tensors again and again. The system's allocator gives them back to the system
/// each time and pays for new pages; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command with the process's own arguments; `commit` is what it was built from, empty where that is not known.
///
/// The exit code is 0 for success, 2 for mistakes in arguments or configuration, 1 for failures, 130 after Ctrl-C.
pub fn main(commit: &str) -> ExitCode {
    keep_memory();
    quiet_drivers();
    color::choose(std::env::args_os().skip(1));
    let command = args::command(&version::long(commit));
    let arguments = match args::parse(command.clone()) {
        Ok(arguments) => arguments,
        Err(error) => return exit::report_arguments(&error),
    };
    logging::start(arguments.verbose, arguments.quiet);
    interrupt::tidy_up_by(&[screen::leave, outputs::remove_pending]);
    // For these, standard output is a few words about files that stand complete by then; for the others it is all they make.
    let makes_files = matches!(
        arguments.command,
        Command::Train(_) | Command::Generate(_) | Command::Interpolate(_) | Command::Timeline(_) | Command::Export(_)
    );
    let result = match arguments.command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Generate(arguments) => generate::generate(&arguments),
        Command::Interpolate(arguments) => interpolate::interpolate(&arguments),
        Command::Timeline(arguments) => timeline::timeline(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Info(arguments) => info::info(&arguments),
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
        Command::Evaluator(command) => evaluator::evaluator(&command),
        Command::Data(command) => data::data(&command),
        Command::Config(command) => config::config(&command),
        Command::Backends(arguments) => backends::backends(&arguments),
        Command::Completions { shell } => shell::completions(command, shell),
        Command::Man { folder } => shell::manual(command, &folder),
    };
    exit::report(result.and_then(|ended| match makes_files {
        true => Ok(ended),
        false => output::delivered().map(|()| ended),
    }))
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
