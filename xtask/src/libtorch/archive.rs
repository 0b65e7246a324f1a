//! libtorch from the archives that PyTorch publishes.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use ureq::Agent;
use zip::ZipArchive;

use super::VERSION;

/// The archive's address for this machine, where there is one (processors only; with CUDA it has 2.5 GB and more).
fn address() -> Option<String> {
    let folder = "https://download.pytorch.org/libtorch/cpu";
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Some(format!("{folder}/libtorch-shared-with-deps-{VERSION}%2Bcpu.zip")),
        ("macos", "aarch64") => Some(format!("{folder}/libtorch-macos-arm64-{VERSION}.zip")),
        ("windows", "x86_64") => Some(format!("{folder}/libtorch-win-shared-with-deps-{VERSION}%2Bcpu.zip")),
        _ => None,
    }
}

/// Downloads and unpacks the archive into `folder`; gives libtorch's home in it.
///
/// No sums are published for these archives: the sums inside the archive and the version are what is checked.
pub fn make(client: &Agent, downloads: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let Some(url) = address() else {
        bail!("there is none for {} on {}", env::consts::OS, env::consts::ARCH);
    };
    let file = downloads.join(format!("libtorch-{VERSION}.zip"));
    crate::download::download(client, &url, &file, None)?;
    unpack(&file, &|name| Some(name.to_owned()), folder).inspect_err(|_| {
        let _ = fs::remove_file(&file); // Damaged, so that the next run must not take it for whole.
    })?;
    Ok(folder.join("libtorch"))
}

/// Unpacks those files of an archive for which `place` gives a path, beside `folder`, and moves them there when all are
/// whole.
pub fn unpack(archive: &Path, place: &dyn Fn(&Path) -> Option<PathBuf>, folder: &Path) -> anyhow::Result<()> {
    let beside = beside(folder, "part");
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("cannot remove {}", beside.display()))?;
    }
    unpack_into(archive, place, &beside)?;
    fs::rename(&beside, folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// `FOLDER.ENDING`: a version in the folder's name has dots that are no extension.
pub fn beside(folder: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", folder.display()))
}

/// Unpacks into a folder that may have files already. Each file's sum (CRC-32) is checked while it is read.
pub fn unpack_into(archive: &Path, place: &dyn Fn(&Path) -> Option<PathBuf>, folder: &Path) -> anyhow::Result<()> {
    let name = archive.display();
    let file = File::open(archive).with_context(|| format!("cannot read {name}"))?;
    let mut zip = ZipArchive::new(file).with_context(|| format!("{name} is no whole archive"))?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).with_context(|| format!("{name} is damaged"))?;
        // Names that would leave the folder have no enclosed name and are left out.
        let Some(target) = entry
            .enclosed_name()
            .filter(|_| entry.is_file())
            .and_then(|path| place(&path))
        else {
            continue;
        };
        let target = folder.join(target);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        let mut out = File::create(&target).with_context(|| format!("cannot write {}", target.display()))?;
        std::io::copy(&mut entry, &mut out).with_context(|| format!("cannot unpack {}", target.display()))?;
    }
    Ok(())
}
