//! Nothing; without a build script cargo would not look at the build dependencies.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
