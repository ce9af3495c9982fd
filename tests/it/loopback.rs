//! A small HTTP server of our own on loopback, which answers as badly as it is told to.
//!
//! One thread a connection, one request a connection. It stops when it is dropped; connections that it was
//! told to leave hanging are held open until then.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long a test waits for a request that must come.
const WITHIN: Duration = Duration::from_secs(120);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `POST`
    pub(crate) method: String,
    /// `/`
    pub(crate) path: String,
    /// Header names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The AWS action it asks for: `DescribeInstances`, from the form, the target header or the path.
    pub(crate) fn action(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default().to_owned();
        }
        let body = String::from_utf8_lossy(&self.body);
        match body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
            Some(action) => action.to_owned(),
            None => self.path.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }
}

/// What to do with a request.
pub(crate) enum Answer {
    /// A proper answer.
    Full(u16, &'static str, Vec<u8>),
    /// These bytes and then the end of the connection, whatever they are.
    Raw(Vec<u8>),
    /// Nothing, ever.
    Hang,
}

impl Answer {
    /// A proper answer in XML.
    pub(crate) fn xml(status: u16, body: impl Into<String>) -> Self {
        Self::Full(status, "text/xml", body.into().into_bytes())
    }

    /// A proper answer in HTML, as a proxy or moto would give.
    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::Full(status, "text/html; charset=utf-8", body.as_bytes().to_vec())
    }

    /// A head that promises more than the body holds.
    pub(crate) fn cut(body: &str) -> Self {
        let promised = body.len() * 2 + 1000;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {promised}\r\n\r\n");
        Self::Raw((head + body).into_bytes())
    }
}

/// A running server.
pub(crate) struct Loopback {
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    is_over: AtomicBool,
    seen: Mutex<Vec<Request>>,
    came: Condvar,
    hanging: Mutex<Vec<TcpStream>>,
}

impl Loopback {
    /// Starts a server that answers by `answer`.
    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            is_over: AtomicBool::new(false),
            seen: Mutex::default(),
            came: Condvar::new(),
            hanging: Mutex::default(),
        });
        let answer = Arc::new(answer);
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ours.is_over.load(Ordering::SeqCst) {
                    break;
                }
                let (ours, answer) = (Arc::clone(&ours), Arc::clone(&answer));
                std::thread::spawn(move || ours.serve(stream, &*answer));
            }
        });
        Self { url: format!("http://{address}"), address, shared }
    }

    /// A server that takes connections and requests and never answers.
    pub(crate) fn hanging() -> Self {
        Self::start(|_| Answer::Hang)
    }

    /// Passes every request on to `host` after `change`, and its answer back.
    pub(crate) fn before(host: &str, change: impl Fn(&mut Request) + Send + Sync + 'static) -> Self {
        let host = host.to_owned();
        Self::start(move |request| {
            let mut request = request.clone();
            change(&mut request);
            Answer::Raw(pass_on(&host, &request))
        })
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.locked().clone()
    }

    /// Waits until a request came that `wanted` accepts.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Request) -> bool) {
        let (_seen, late) = self
            .shared
            .came
            .wait_timeout_while(self.locked(), WITHIN, |seen| !seen.iter().any(&wanted))
            .unwrap();
        assert!(!late.timed_out(), "the request never came");
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Request>> {
        self.shared.seen.lock().unwrap()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the accepting thread so that it sees the end; if that fails it has ended already.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, answer: &(dyn Fn(&Request) -> Answer + Send + Sync)) {
        // A client may give up at any moment: that is its right, and no fault of a test.
        let Ok(Some(request)) = read(&stream) else { return };
        let answer = answer(&request);
        let is_hanging = matches!(answer, Answer::Hang);
        if is_hanging {
            self.hanging.lock().unwrap().push(stream.try_clone().unwrap());
        }
        self.seen.lock().unwrap().push(request);
        self.came.notify_all();
        let bytes = match answer {
            Answer::Hang => return,
            Answer::Raw(bytes) => bytes,
            Answer::Full(status, kind, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                [head.into_bytes(), body].concat()
            }
        };
        stream.write_all(&bytes).ok();
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Sends a request to a server and returns the whole raw answer.
pub(crate) fn ask(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pass_on(host, &Request { method: method.to_owned(), path: path.to_owned(), headers, body: body.to_vec() })
}

fn pass_on(host: &str, request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        if !matches!(name.as_str(), "content-length" | "connection") {
            head += &format!("{name}: {value}\r\n");
        }
    }
    if request.header("host").is_none() {
        head += &format!("host: {host}\r\n");
    }
    head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body.len());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
