//! Checkpoints in which files were changed and the checksums made to fit, as by somebody who wants harm.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// For a strategy, which borrows for as long as the test runs.
pub fn leak(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

/// A run that ndarray trained.
fn checkpoint_folder() -> PathBuf {
    // From this crate's folder, and from the suite's.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .find_map(|folder| {
            let found = folder.join("tests/reference/checkpoint/checkpoints/step-000005");
            found.is_dir().then_some(found)
        })
        .unwrap()
}

/// A file of that run's checkpoint.
pub fn committed(name: &str) -> &'static [u8] {
    leak(fs::read(checkpoint_folder().join(name)).unwrap())
}

/// A whole checkpoint in which one file was changed and the checksums were made to fit, as by somebody who wants harm.
pub fn forged(name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sum_of = |content: &[u8]| {
        Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut sums = String::new();
    for entry in fs::read_dir(checkpoint_folder()).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().to_string_lossy().into_owned();
        if file == "SHA256SUMS" {
            continue;
        }
        let mut content = match file == name {
            true => bytes.to_vec(),
            false => fs::read(entry.path()).unwrap(),
        };
        if file == "state.json" && name == "config.toml" {
            // The state has the configuration's checksum too.
            let text = String::from_utf8(content).unwrap();
            let old = sum_of(&fs::read(checkpoint_folder().join("config.toml")).unwrap());
            assert!(text.contains(&old));
            content = text.replace(&old, &sum_of(bytes)).into_bytes();
        }
        let sum = sum_of(&content);
        sums += &format!("{sum}  {file}\n");
        fs::write(folder.path().join(file), content).unwrap();
    }
    fs::write(folder.path().join("SHA256SUMS"), sums).unwrap();
    folder
}
