//! An allocator that counts.

#![allow(unsafe_code)] // As the trait has it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let held = HELD.get() + change;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as of this function.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as of this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `read` holds at its most.
pub fn memory<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = read();
    (result, (MOST.get() - before).max(0) as usize)
}

/// Fails where a reader took more than `times` the bytes of its file, and a fixed amount for its own needs.
#[track_caller]
pub fn assert_modest(what: &str, memory: usize, file: usize, times: usize) {
    let most = times * file + (1 << 18);
    assert!(
        memory <= most,
        "{what}: {memory} bytes held for a file of {file}, allowed are {most}"
    );
}
