//! Says what to do where libtorch is missing, before the C++ compiler says it less plainly.

use std::{env, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if env::var_os("CARGO_FEATURE_LIBTORCH").is_none() || env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return;
    }
    match env::var_os("LIBTORCH") {
        Some(home) if !Path::new(&home).join("lib").is_dir() => {
            eprintln!(
                "error: the backend libtorch needs libtorch 2.9.0, and there is none at {}\n\
                 get it with `cargo xtask setup libtorch`, or set LIBTORCH to the folder of your own",
                home.display()
            );
            std::process::exit(1);
        }
        _ => {}
    }
}
