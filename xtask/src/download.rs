//! A file from a server: taken up where it broke off, checked, and only then under its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::{
    Agent,
    http::StatusCode,
    tls::{RootCerts, TlsConfig},
};

/// How often a transfer that makes progress is taken up again.
const TRIES: usize = 5;

/// A client with time limits that trusts what the system trusts, company certificates included.
pub fn client() -> Agent {
    Agent::config_builder()
        .user_agent("ganvas-xtask")
        .http_status_as_error(false)
        .timeout_resolve(Some(Duration::from_secs(15)))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .into()
}

/// Brings a file to `target`, unless it is there; `sha256` is its sum in hexadecimal digits, where it is known.
///
/// What an interrupted transfer left in `TARGET.part` is taken up again.
pub fn download(client: &Agent, url: &str, target: &Path, sha256: Option<&str>) -> anyhow::Result<()> {
    if target.is_file() {
        return Ok(());
    }
    let part = PathBuf::from(format!("{}.part", target.display()));
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut starts_over = !part.is_file();
    for attempt in 1.. {
        let before = length(&part);
        match receive(client, url, &part) {
            Ok(()) => {}
            Err(error) if attempt < TRIES && length(&part) > before => {
                eprintln!("{error:#}; going on from there");
                continue;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot download {url}")),
        }
        let Some(expected) = sha256 else { break };
        let found = sha256_of(&part)?;
        if found == expected {
            break;
        }
        fs::remove_file(&part).with_context(|| format!("cannot remove {}", part.display()))?;
        if starts_over {
            bail!("{url}: wrong checksum: expected SHA-256 {expected}, found {found}");
        }
        // The wrong bytes may be those of an earlier transfer.
        starts_over = true;
    }
    fs::rename(&part, target).with_context(|| format!("cannot write {}", target.display()))
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// Receives what is missing of a file.
fn receive(client: &Agent, url: &str, part: &Path) -> anyhow::Result<()> {
    let present = length(part);
    let mut request = client.get(url).header("Accept-Encoding", "identity");
    if present > 0 {
        request = request.header("Range", format!("bytes={present}-"));
    }
    let response = request.call()?;
    let start = match response.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT => present,
        // All of it is there already: an earlier run was stopped between the last byte and the check.
        StatusCode::RANGE_NOT_SATISFIABLE if present > 0 => return Ok(()),
        other => bail!("the server answered {other}"),
    };
    let total = response.body().content_length().map(|length| start + length);
    let mut file = if start > 0 {
        OpenOptions::new().append(true).open(part)
    } else {
        File::create(part)
    }
    .with_context(|| format!("cannot write {}", part.display()))?;
    if start > 0 {
        println!("{} MB of it are here already", start / 1_000_000);
    }
    let bar = bar(url, total);
    bar.set_position(start);
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 1 << 18];
    let mut received = start;
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                bar.abandon();
                return Err(error).with_context(|| format!("the connection broke after {received} bytes"));
            }
        };
        file.write_all(buffer.get(..read).unwrap_or_default())
            .with_context(|| format!("cannot write {}", part.display()))?;
        received += read as u64;
        bar.set_position(received);
    }
    file.sync_all()
        .with_context(|| format!("cannot write {}", part.display()))?;
    bar.finish();
    match total {
        Some(total) if received < total => bail!("the connection ended after {received} of {total} bytes"),
        _ => Ok(()),
    }
}

/// A bar for a person; where no person looks, one line.
fn bar(url: &str, total: Option<u64>) -> ProgressBar {
    let name = url.rsplit('/').next().unwrap_or(url).to_owned();
    let bar = ProgressBar::new(total.unwrap_or_default());
    if bar.is_hidden() {
        let size = total.map_or_else(String::new, |bytes| format!(" ({} MB)", bytes / 1_000_000));
        println!("downloading {name}{size}");
    }
    if let Ok(style) =
        ProgressStyle::with_template("{wide_msg} {bytes:>10}/{total_bytes} {bytes_per_sec:>12} {eta:>4} {bar:20}")
    {
        bar.set_style(style);
    }
    bar.with_message(name)
}

/// The SHA-256 sum of a file in hexadecimal digits.
fn sha256_of(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut sum = Sha256::new();
    std::io::copy(&mut file, &mut sum).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::{
        io::BufRead,
        net::TcpListener,
        sync::mpsc::{Receiver, channel},
        thread,
    };

    use super::*;

    const CONTENT: &[u8] = b"libtorch, or what stands for it here";

    /// A server that gives these answers, one a connection, and records the ranges it was asked for.
    fn serve(answers: Vec<Vec<u8>>) -> (String, Receiver<Option<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file.zip", listener.local_addr().unwrap());
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut range = None;
                for line in std::io::BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_lowercase().strip_prefix("range: ") {
                        range = Some(value.to_owned());
                    }
                }
                sender.send(range).unwrap();
                stream.write_all(&answer).unwrap();
            }
        });
        (address, receiver)
    }

    fn answer(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
        let mut bytes =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    fn sum(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_broken_transfer_is_taken_up_where_it_broke() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file.zip");
        let (url, ranges) = serve(vec![
            answer("200 OK", CONTENT.len(), &CONTENT[..10]),
            answer("206 Partial Content", CONTENT.len() - 10, &CONTENT[10..]),
        ]);
        download(&client(), &url, &target, Some(&sum(CONTENT))).unwrap();
        assert_eq!(fs::read(&target).unwrap(), CONTENT);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [None, Some("bytes=10-".to_owned())]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_earlier_run_left_wrong_is_thrown_away_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file.zip");
        fs::write(folder.path().join("file.zip.part"), "garbage").unwrap();
        let (url, _ranges) = serve(vec![
            answer("206 Partial Content", CONTENT.len() - 7, &CONTENT[7..]),
            answer("200 OK", CONTENT.len(), CONTENT),
        ]);
        download(&client(), &url, &target, Some(&sum(CONTENT))).unwrap();
        assert_eq!(fs::read(&target).unwrap(), CONTENT);
    }

    #[test]
    fn a_wrong_sum_and_a_refusal_leave_nothing_under_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file.zip");
        let (url, _ranges) = serve(vec![
            answer("200 OK", CONTENT.len(), CONTENT),
            answer("404 Not Found", 0, b""),
        ]);
        let error = download(&client(), &url, &target, Some(&sum(b"other"))).unwrap_err();
        assert!(format!("{error:#}").contains("wrong checksum"), "{error:#}");
        let error = download(&client(), &url, &target, None).unwrap_err();
        assert!(format!("{error:#}").contains("404"), "{error:#}");
        assert!(!target.exists());
    }
}
