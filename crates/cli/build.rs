//! Writes libtorch's place into the programs built here, so that they start from anywhere without LD_LIBRARY_PATH.

use std::{env, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let windows = env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|system| system == "windows");
    if env::var_os("CARGO_FEATURE_LIBTORCH").is_none() || windows {
        return;
    }
    let Some(home) = env::var_os("LIBTORCH") else { return };
    let lib = Path::new(&home).join("lib");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    // Nothing names a function of this library, so linkers leave it out; it registers CUDA with libtorch when loaded.
    if lib.join("libtorch_cuda.so").exists() {
        println!(
            "cargo:rustc-link-arg=-Wl,--no-as-needed,{}/libtorch_cuda.so,--as-needed",
            lib.display()
        );
    }
}
