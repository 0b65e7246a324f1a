//! libtorch for burn-tch: found, or made inside the workspace.

mod archive;
mod home;
mod wheel;

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

pub use home::{VERSION, examine};

/// Where a libtorch came from.
#[derive(Debug, Clone)]
pub struct Libtorch {
    /// The folder with `include` and `lib`; what `LIBTORCH` should say.
    pub home: PathBuf,
    /// In words.
    pub origin: &'static str,
}

/// The workspace's ignored folder for what setup makes.
fn cache() -> PathBuf {
    crate::workspace().join(".cache")
}

/// Where every cargo of this workspace looks (`.cargo/config.toml`), a link to the libtorch that was chosen.
pub fn place() -> PathBuf {
    cache().join("libtorch")
}

/// Whether cargo would find a libtorch without any set-up.
pub fn is_at_hand() -> bool {
    let home = env::var_os("LIBTORCH").map_or_else(place, PathBuf::from);
    examine(&home).is_ok()
}

/// Finds a fitting libtorch, or makes one, and links [`place`] to it.
pub fn set_up() -> anyhow::Result<Libtorch> {
    crate::packages::need_cxx_compiler()?;
    if let Some(path) = env::var_os("LIBTORCH")
        .map(PathBuf::from)
        .filter(|path| *path != place())
    {
        examine(&path)
            .context("the environment variable LIBTORCH names no fitting libtorch; correct it or unset it")?;
        return Ok(Libtorch {
            home: path,
            origin: "the environment variable LIBTORCH",
        });
    }
    fs::create_dir_all(cache()).with_context(|| format!("cannot create {}", cache().display()))?;
    let _lock = lock(&cache().join("libtorch.lock"))?;
    let found = match of_python() {
        Some(home) => Libtorch {
            home,
            origin: "the Python package torch",
        },
        None => own()?,
    };
    link(&found.home, &place())?;
    Ok(found)
}

/// The copy in the workspace, made where it is missing.
fn own() -> anyhow::Result<Libtorch> {
    let folder = cache().join(format!("libtorch-{VERSION}"));
    for name in ["libtorch", "torch"] {
        let home = folder.join(name);
        if examine(&home).is_ok() {
            return Ok(Libtorch {
                home,
                origin: "the workspace's own copy",
            });
        }
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove the damaged {}", folder.display()))?;
    }
    let client = crate::download::client();
    let downloads = cache().join("downloads");
    println!("libtorch {VERSION} is not here: fetching it into {}", cache().display());
    let home = match archive::make(&client, &downloads, &folder) {
        Ok(home) => home,
        Err(archive) => {
            println!("the official archive could not be had: {archive:#}");
            println!("taking the libraries out of the Python package of PyTorch");
            wheel::make(&client, &downloads, &folder).with_context(|| {
                format!(
                    "no libtorch could be had; install libtorch {VERSION} by hand and set LIBTORCH to its folder, or leave \
                     the backend out with `--skip libtorch`"
                )
            })?
        }
    };
    examine(&home)?;
    let _ = fs::remove_dir_all(&downloads); // Only a matter of space.
    Ok(Libtorch {
        home,
        origin: "downloaded now",
    })
}

/// The libtorch inside the `torch` of a Python at hand, where its version fits.
fn of_python() -> Option<PathBuf> {
    // Importing torch takes seconds; where it lies can be asked without.
    let question =
        "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
    let python = if env::var_os("VIRTUAL_ENV").is_some() {
        "python"
    } else {
        "python3"
    };
    let output = Command::new(python).args(["-c", question]).output().ok()?;
    let home = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (!home.as_os_str().is_empty() && examine(&home).is_ok()).then_some(home)
}

/// Holds off a second setup until this one has ended, however it ends.
fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    if file.try_lock().is_err() {
        println!("another setup is at work; waiting for it");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// Makes `place` a link to `home`, in one step, so that no cargo finds nothing there.
#[cfg(unix)]
fn link(home: &Path, place: &Path) -> anyhow::Result<()> {
    if fs::read_link(place).is_ok_and(|target| target == home) {
        return Ok(());
    }
    if place.is_dir() && !place.is_symlink() {
        bail!("{}: expected a link, found a folder; move it away", place.display());
    }
    let beside = place.with_extension("new");
    let _ = fs::remove_file(&beside); // Left by a setup that was stopped here.
    std::os::unix::fs::symlink(home, &beside).with_context(|| format!("cannot create {}", beside.display()))?;
    fs::rename(&beside, place).with_context(|| format!("cannot write {}", place.display()))
}

/// Windows asks for rights to make links, so there a person says where it is.
#[cfg(not(unix))]
fn link(home: &Path, _place: &Path) -> anyhow::Result<()> {
    println!(
        "for cargo by hand: set LIBTORCH={0} and put {0}\\lib into PATH",
        home.display()
    );
    Ok(())
}
