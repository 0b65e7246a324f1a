//! One file from one server, taken up where an earlier transfer broke off.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, Timeout};

use crate::disk::Output;
use crate::{DataError, FetchProgress};

/// The most bytes that are received for one file; the largest published one has 31 million.
const LIMIT: u64 = 1 << 28;

/// A transfer from `url` into the file `part`.
pub(crate) struct Transfer<'a> {
    pub agent: &'a Agent,
    pub url: &'a str,
    /// The file's name, for progress reports.
    pub file: &'a str,
    pub part: &'a Path,
}

/// What a transfer that came to its end did.
pub(crate) struct Done {
    /// How many bytes the server sent.
    pub received: u64,
    /// Whether they were appended to what an earlier transfer had left.
    pub resumed: bool,
}

/// Why a transfer came to no end.
pub(crate) enum Failure {
    /// Something is wrong on this machine, and another server would not help.
    Here(DataError),
    /// Something is wrong with the server or on the way to it.
    There {
        reason: String,
        /// Whether any server answered.
        reached: bool,
        /// How many bytes came before.
        received: u64,
    },
}

impl Failure {
    fn there(reason: impl Into<String>, received: u64) -> Self {
        Self::There {
            reason: reason.into(),
            reached: true,
            received,
        }
    }
}

impl Transfer<'_> {
    /// Runs the transfer to its end or failure; what has come stays in the part file either way.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(FetchProgress<'_>)) -> Result<Done, Failure> {
        let present = fs::metadata(self.part).map_or(0, |part| part.len());
        let mut response = self.ask(present)?;
        let mut start = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(present) => present,
            _ => 0,
        };
        let unusable = matches!(
            response.status(),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE
        );
        if present > 0 && start == 0 && unusable {
            // The part is longer than the file, or the server sends another range than asked for.
            response = self.ask(0)?;
            start = 0;
        }
        let expected = if start > 0 {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        };
        if response.status() != expected {
            return Err(Failure::there(format!("the server answered {}", response.status()), 0));
        }
        self.receive(response, start, progress)
    }

    fn ask(&self, from: u64) -> Result<Response<Body>, Failure> {
        // Sums and ranges are those of the file itself, so the server must not compress it once
        // more.
        let mut request = self.agent.get(self.url).header("Accept-Encoding", "identity");
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        request.call().map_err(|error| Failure::There {
            reason: error.to_string(),
            reached: matches!(
                error,
                ureq::Error::Protocol(_)
                    | ureq::Error::TooManyRedirects
                    | ureq::Error::RedirectFailed
                    | ureq::Error::LargeResponseHeader(..)
                    | ureq::Error::Timeout(Timeout::RecvResponse)
            ),
            received: 0,
        })
    }

    fn receive(
        &self,
        response: Response<Body>,
        start: u64,
        progress: &mut dyn FnMut(FetchProgress<'_>),
    ) -> Result<Done, Failure> {
        let file = self.file;
        let total = response
            .body()
            .content_length()
            .map(|length| start.saturating_add(length));
        progress(FetchProgress::Started {
            file,
            url: self.url,
            resumed_from: start,
            total,
        });
        let here = |source: io::Error| Failure::Here(DataError::io("write", self.part, source));
        let mut part = self.open(start > 0).map_err(here)?;
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut received = 0;
        let broken = loop {
            let bytes = match body.read(&mut buffer) {
                Ok(0) => break None,
                Ok(read) => buffer.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Some(format!("the connection broke after {received} bytes: {error}")),
            };
            part.write_all(bytes).map_err(here)?;
            received += bytes.len() as u64;
            let present = start + received;
            progress(FetchProgress::Advanced {
                file,
                received: present,
                total,
            });
            if present > LIMIT {
                drop(part);
                // What is too long cannot be taken up again either.
                fs::remove_file(self.part).map_err(here)?;
                return Err(Failure::there(format!("the server sent more than {LIMIT} bytes"), 0));
            }
        };
        part.sync().map_err(here)?;
        let missing = total.filter(|&total| start + received < total);
        match (broken, missing) {
            (Some(reason), _) => Err(Failure::there(reason, received)),
            (None, Some(total)) => {
                let reason = format!("the connection ended after {} of {total} bytes", start + received);
                Err(Failure::there(reason, received))
            }
            (None, None) => Ok(Done {
                received,
                resumed: start > 0,
            }),
        }
    }

    fn open(&self, append: bool) -> io::Result<Output> {
        if append {
            Output::append(self.part)
        } else {
            Output::create(self.part)
        }
    }
}

/// The first byte of the range that a server says it sends: 100 for `bytes 100-199/200`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
