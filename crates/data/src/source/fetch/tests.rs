//! Downloads from servers on this machine; nothing here goes to the network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::disk::faults::FullDisk;

/// How a test server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// As it should.
    Sound,
    /// Cuts each answer after so many bytes of its body, and knows ranges.
    Cutting(usize),
    /// Knows nothing of ranges.
    WithoutRanges,
    /// Sends other bytes.
    Wrong,
    /// Has no file.
    Missing,
    /// Answers a range with one that begins elsewhere.
    WrongRange,
    /// Accepts and then says nothing.
    Silent,
}

struct Server {
    address: String,
    /// The `Range` header of each request, empty where there was none.
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(content: &[u8], manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let (content, log) = (content.to_vec(), Arc::clone(&ranges));
        // The thread ends with the test process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &content, manner, &log);
            }
        });
        Self { address, ranges }
    }

    fn ranges(&self) -> Vec<String> {
        self.ranges.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, content: &[u8], manner: Manner, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut range = String::new();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("range: ") {
            range = value.to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    log.lock().unwrap().push(range.clone());
    let from = range
        .strip_prefix("bytes=")
        .and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
    let mut content = content.to_vec();
    if manner == Manner::Wrong {
        content.reverse();
    }
    let (status, extra, body) = match (manner, from) {
        (Manner::Silent, _) => {
            // Waits until the other side gives up.
            return stream.read(&mut [0]).map(drop);
        }
        (Manner::Missing, _) => ("404 Not Found", String::new(), &b"no such file"[..]),
        (Manner::WithoutRanges, _) | (_, None) => ("200 OK", String::new(), &content[..]),
        (_, Some(from)) if from >= content.len() => ("416 Range Not Satisfiable", String::new(), &b""[..]),
        (_, Some(from)) => {
            let from = if manner == Manner::WrongRange { from / 2 } else { from };
            let header = format!(
                "Content-Range: bytes {from}-{}/{}\r\n",
                content.len() - 1,
                content.len()
            );
            ("206 Partial Content", header, &content[from..])
        }
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{extra}Connection: close\r\n\r\n"
    )?;
    let sent = match manner {
        Manner::Cutting(after) => &body[..after.min(body.len())],
        _ => body,
    };
    stream.write_all(sent)?;
    stream.flush()
}

const NAME: &str = "digits.gz";

fn content() -> Vec<u8> {
    (0..200_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// A folder, and one file to fetch into it.
struct Scene {
    folder: tempfile::TempDir,
    files: [DataFile; 1],
    events: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = folder.path().join("sample");
        fs::write(&sample, content()).unwrap();
        let md5 = md5_of(&sample).unwrap().leak();
        fs::remove_file(sample).unwrap();
        Self {
            folder,
            files: [DataFile {
                name: NAME,
                md5,
                content_md5: None,
            }],
            events: Vec::new(),
        }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("digits")
    }

    fn leave_part(&self, bytes: &[u8]) {
        fs::create_dir_all(self.place()).unwrap();
        fs::write(self.place().join("digits.gz.part"), bytes).unwrap();
    }

    fn fetch(&mut self, mirrors: &[String]) -> Result<FetchReport, DataError> {
        let place = self.place();
        let job = Job {
            name: "digits",
            files: &self.files,
            folder: &place,
            mirrors,
            agent: agent(Duration::from_secs(2), Duration::from_millis(300)),
        };
        job.run(&mut |event| self.events.push(format!("{event:?}")))
    }

    #[track_caller]
    fn assert_whole(&self) {
        assert_eq!(fs::read(self.place().join(NAME)).unwrap(), content());
        assert_eq!(
            fs::read_dir(self.place()).unwrap().count(),
            1,
            "something else was left"
        );
    }
}

fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_file_is_fetched_once() {
    let server = Server::start(&content(), Manner::Sound);
    let mut scene = Scene::new();
    // A slash at the end of the address does no harm.
    let report = scene.fetch(&[format!("{}/", server.address)]).unwrap();
    assert_eq!((report.downloaded, report.bytes), (vec![NAME.to_owned()], 200_000));
    scene.assert_whole();
    assert!(scene.events.iter().any(|event| event.starts_with("Finished")));
    let again = scene.fetch(&[]).unwrap();
    assert_eq!((again.already_whole, again.bytes), (vec![NAME.to_owned()], 0));
    assert_eq!(server.ranges(), [""]);
}

#[test]
fn a_broken_transfer_is_taken_up() {
    let server = Server::start(&content(), Manner::Cutting(80_000));
    let mut scene = Scene::new();
    let report = scene.fetch(std::slice::from_ref(&server.address)).unwrap();
    scene.assert_whole();
    assert_eq!(report.bytes, 200_000);
    assert_eq!(server.ranges(), ["", "bytes=80000-", "bytes=160000-"]);
}

#[test]
fn a_disk_that_fills_up_is_told_and_the_rest_is_fetched_later() {
    let server = Server::start(&content(), Manner::Sound);
    for operations in 0.. {
        let mut scene = Scene::new();
        let fetched = {
            let _disk = FullDisk::after(operations, &scene.place());
            scene.fetch(std::slice::from_ref(&server.address))
        };
        let Err(error) = fetched else {
            // Folder, part, its writes, and bringing it to the disk and into place.
            assert!(operations > 6, "{operations}");
            break;
        };
        let text = error.to_string();
        assert!(matches!(error, DataError::Io { .. }), "{text}");
        assert!(text.contains(&scene.place().display().to_string()), "{text}");
        assert!(text.contains("no storage space"), "{text}");
        let target = scene.place().join(NAME);
        assert!(!target.exists() || fs::read(target).unwrap() == content());
        scene.fetch(std::slice::from_ref(&server.address)).unwrap();
        scene.assert_whole();
    }
}

#[test]
fn another_mirror_takes_up_what_one_has_left() {
    let cutting = Server::start(&content(), Manner::Cutting(1_000));
    let sound = Server::start(&content(), Manner::Sound);
    let mut scene = Scene::new();
    scene.fetch(&[cutting.address.clone(), sound.address.clone()]).unwrap();
    scene.assert_whole();
    assert_eq!(sound.ranges(), ["bytes=3000-"]);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let server = Server::start(&content(), Manner::WithoutRanges);
    let mut scene = Scene::new();
    scene.leave_part(&content()[..5_000]);
    scene.fetch(std::slice::from_ref(&server.address)).unwrap();
    scene.assert_whole();
    assert_eq!(server.ranges(), ["bytes=5000-"]);
}

#[test]
fn a_part_that_is_too_long_or_wrong_is_begun_anew() {
    for (part, manner, ranges) in [
        (vec![1; 300_000], Manner::Sound, vec!["bytes=300000-", ""]),
        (vec![1; 5_000], Manner::Sound, vec!["bytes=5000-", ""]),
        (content()[..5_000].to_vec(), Manner::WrongRange, vec!["bytes=5000-", ""]),
    ] {
        let server = Server::start(&content(), manner);
        let mut scene = Scene::new();
        scene.leave_part(&part);
        scene.fetch(std::slice::from_ref(&server.address)).unwrap();
        scene.assert_whole();
        assert_eq!(server.ranges(), ranges);
    }
}

#[test]
fn a_part_that_is_whole_needs_no_server() {
    let mut scene = Scene::new();
    scene.leave_part(&content());
    scene.fetch(&[]).unwrap();
    scene.assert_whole();
}

#[test]
fn a_wrong_file_is_never_put_in_place() {
    let wrong = Server::start(&content(), Manner::Wrong);
    let sound = Server::start(&content(), Manner::Sound);
    let mut scene = Scene::new();
    let error = scene
        .fetch(std::slice::from_ref(&wrong.address))
        .unwrap_err()
        .to_string();
    let expected = scene.files[0].md5;
    assert!(error.contains(&format!("expected MD5 {expected}, found ")), "{error}");
    assert_eq!(fs::read_dir(scene.place()).unwrap().count(), 0);
    scene.fetch(&[wrong.address, sound.address]).unwrap();
    scene.assert_whole();
    assert!(scene.events.iter().any(|event| event.starts_with("Failed")));
}

#[test]
fn a_file_that_is_there_but_wrong_is_replaced() {
    let server = Server::start(&content(), Manner::Sound);
    let mut scene = Scene::new();
    fs::create_dir_all(scene.place()).unwrap();
    fs::write(scene.place().join(NAME), "old").unwrap();
    scene.fetch(&[closed_port()]).unwrap_err();
    assert_eq!(fs::read(scene.place().join(NAME)).unwrap(), b"old");
    scene.fetch(&[server.address]).unwrap();
    scene.assert_whole();
}

#[test]
fn every_mirror_is_named_with_its_reason() {
    let missing = Server::start(&content(), Manner::Missing);
    let silent = Server::start(&content(), Manner::Silent);
    let closed = closed_port();
    let mut scene = Scene::new();
    let mirrors = [missing.address, silent.address, closed, "no address".to_owned()];
    let error = scene.fetch(&mirrors).unwrap_err();
    assert!(matches!(&error, DataError::Fetch(failure) if !failure.offline));
    let error = error.to_string();
    assert!(mirrors.iter().all(|mirror| error.contains(mirror)), "{error}");
    assert!(error.contains("404") && error.contains("timeout"), "{error}");
}

#[test]
fn without_a_network_the_error_says_so_and_what_to_do() {
    let mut scene = Scene::new();
    let error = scene.fetch(&[closed_port()]).unwrap_err();
    assert!(matches!(&error, DataError::Fetch(failure) if failure.offline));
    let error = error.to_string();
    let place = scene.place().display().to_string();
    for word in ["no server could be reached", "by hand", NAME, &place] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn synthetic_digits_have_no_files() {
    let error = fetch(DatasetName::Synthetic, Path::new("nowhere"), &[], &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("need no files"), "{error}");
}
