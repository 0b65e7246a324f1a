//! Writes libtorch's place into the programs built here, so that they start from anywhere without LD_LIBRARY_PATH, and says
//! where `main.rs` finds the commit that it is built from.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    // Cargo watches this file by itself. That variables are named keeps it from watching every file of the package.
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let Some(out) = env::var_os("OUT_DIR") {
        let commit = commit_file().unwrap_or_else(|| {
            let unknown = Path::new(&out).join("commit");
            // Where this fails, the compiler says that the file is missing.
            let _ = fs::write(&unknown, packed_commit().unwrap_or_default());
            unknown
        });
        println!("cargo:rustc-env=GANVAS_COMMIT_FILE={}", commit.display());
    }
    link_libtorch();
}

fn link_libtorch() {
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

/// The file in which git keeps the present commit. `main.rs` includes it, so that a commit compiles those few lines anew; a
/// variable with the commit itself would compile the whole command anew, which takes minutes.
fn commit_file() -> Option<PathBuf> {
    let (own, common) = git_folders()?;
    let head = watched(own.join("HEAD"))?;
    // A branch moves into this file, out of its own, when git tidies up. Where there is none yet, that cannot be noticed.
    watched(common.join("packed-refs"))?;
    let file = match fs::read_to_string(&head).ok()?.trim().strip_prefix("ref: ") {
        Some(branch) => common.join(branch),
        None => head,
    };
    file.is_file().then_some(file)
}

/// The commit where no file holds it alone, looked up whenever one is made.
fn packed_commit() -> Option<String> {
    let (own, common) = git_folders()?;
    let head = fs::read_to_string(watched(own.join("HEAD"))?).ok()?;
    let Some(branch) = head.trim().strip_prefix("ref: ") else {
        return Some(head);
    };
    // The log of HEAD grows with each commit, whatever file the commit is kept in.
    watched(own.join("logs/HEAD"))?;
    if let Some(loose) = watched(common.join(branch)) {
        return fs::read_to_string(loose).ok();
    }
    let packed = fs::read_to_string(common.join("packed-refs")).ok()?;
    let line = packed.lines().find(|line| line.split(' ').nth(1) == Some(branch))?;
    line.split(' ').next().map(str::to_owned)
}

/// The folder of this checkout and that of the repository, which are two where there are several checkouts.
fn git_folders() -> Option<(PathBuf, PathBuf)> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let git = package.join("../.git");
    let git = if git.exists() { git } else { package.join("../../.git") };
    let own = match git.is_file() {
        true => {
            let text = fs::read_to_string(&git).ok()?;
            git.parent()?.join(text.trim().strip_prefix("gitdir: ")?)
        }
        false => git,
    };
    let common = match fs::read_to_string(own.join("commondir")) {
        Ok(path) => own.join(path.trim()),
        Err(_) => own.clone(),
    };
    Some((own, common))
}

/// Runs this script again when the file changes; one that is not there would run it every time.
fn watched(file: PathBuf) -> Option<PathBuf> {
    let file = file.canonicalize().ok()?;
    println!("cargo:rerun-if-changed={}", file.display());
    Some(file)
}
