//! Counts the memory of a test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// An allocator that counts the bytes in use. As the global allocator of a test program, it counts the bytes of all
/// tests of the program that run at the same time.
#[derive(Debug, Default)]
pub struct CountingAllocator {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl CountingAllocator {
    /// Makes an allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// Runs `work`. Returns its result, and in MiB the most memory that was in use meanwhile, in addition to the memory
    /// that was in use before.
    pub fn peak_of<T>(&self, work: impl FnOnce() -> T) -> (T, usize) {
        let before = self.now.load(Ordering::Relaxed);
        self.peak.store(before, Ordering::Relaxed);
        let result = work();
        let peak = self.peak.load(Ordering::Relaxed).saturating_sub(before);
        (result, peak >> 20)
    }
}

// SAFETY: all work is left to the allocator of the system.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = self.now.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        self.peak.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller guarantees the conditions of this call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller guarantees the conditions of this call.
        unsafe { System.dealloc(pointer, layout) }
    }
}
