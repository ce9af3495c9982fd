//! argv → lib → exit code.

fn main() -> std::process::ExitCode {
    leave_no_core_dump();
    keep_memory_together();
    coredeck::cli::run(std::env::args_os())
}

/// Lets nothing of a process that is killed come to lie on a disk: its memory holds keys.
fn leave_no_core_dump() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Core);
    // A limit can always be lowered; where a sandbox forbids even that, it has forbidden dumps as well or wants them.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
}

/// Lets glibc keep one heap instead of one for each thread, give back what is freed at its end, and put what is
/// large beside it. Pages of a large fleet are read on several threads, and what they leave behind in heaps of
/// their own was half of all that a screen of 100,000 instances held (docs/speed.md). Other systems have one heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory_together() {
    const KIB: i32 = 1024;
    for (option, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, 256 * KIB), (libc::M_TRIM_THRESHOLD, 4 * KIB * KIB)]
    {
        #[expect(
            unsafe_code,
            reason = "glibc has no other way; no other thread runs yet, and it takes two numbers"
        )]
        // SAFETY: `mallopt` reads and writes no memory of ours; called before any thread is started.
        let is_set = unsafe { libc::mallopt(option, value) };
        debug_assert_eq!(is_set, 1, "glibc knows option {option}");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory_together() {}
