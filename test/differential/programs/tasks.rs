//! Asynchronous functions and what executes them, trait objects, panics that are caught, sorting with a closure.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
struct NoWake;
impl Wake for NoWake {
    fn wake(self: Arc<Self>) {}
}
struct Yield(u32);
impl Future for Yield {
    type Output = u32;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        if self.0 % 3 == 0 {
            Poll::Ready(self.0)
        } else {
            self.0 -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}
#[inline(never)]
fn mix(n: u32) -> u32 {
    let mut s = n;
    for i in 0..(n % 9 + 2) {
        s = s.wrapping_mul(31).wrapping_add(s >> 3) ^ i;
    }
    s
}
async fn leaf(n: u32) -> u32 {
    let a = Yield(n % 7).await;
    mix(a + n)
}
async fn mid(n: u32) -> u32 {
    let mut s = 0u32;
    for i in 0..n % 5 {
        s = s.wrapping_add(leaf(n + i).await);
    }
    s
}
fn rec(n: u32) -> Pin<Box<dyn Future<Output = u32>>> {
    Box::pin(async move {
        if n == 0 {
            leaf(3).await
        } else {
            rec(n - 1).await.wrapping_add(mid(n).await)
        }
    })
}
async fn task(id: u32, out: Rc<RefCell<u32>>) {
    let s = rec(id % 6).await.wrapping_add(mid(id).await);
    *out.borrow_mut() ^= s;
}
type Task = Pin<Box<dyn Future<Output = ()>>>;
#[inline(never)]
fn execute(mut q: VecDeque<Task>) {
    let w = Waker::from(Arc::new(NoWake));
    let mut cx = Context::from_waker(&w);
    while let Some(mut t) = q.pop_front() {
        if t.as_mut().poll(&mut cx).is_pending() {
            q.push_back(t);
        }
    }
}
trait Shape {
    fn area(&self, k: u32) -> u32;
    fn twice(&self, k: u32) -> u32 {
        self.area(k).wrapping_add(self.area(k + 1))
    }
}
struct Sq(u32);
struct Group(Vec<Box<dyn Shape>>);
struct Bad;
impl Shape for Sq {
    fn area(&self, k: u32) -> u32 {
        mix(self.0 * k)
    }
}
impl Shape for Bad {
    fn area(&self, k: u32) -> u32 {
        if k % 5 == 0 {
            panic!("bad {k}")
        }
        k
    }
}
impl Shape for Group {
    fn area(&self, k: u32) -> u32 {
        self.0
            .iter()
            .map(|s| s.twice(k + 1))
            .fold(0, u32::wrapping_add)
    }
}
fn build(d: u32, s: u32) -> Box<dyn Shape> {
    if d == 0 {
        if s % 4 == 0 {
            Box::new(Bad)
        } else {
            Box::new(Sq(s % 9))
        }
    } else {
        Box::new(Group(
            (0..=s % 3)
                .map(|i| build(d - 1, s * 13 % 1009 + i))
                .collect(),
        ))
    }
}
fn main() {
    panic::set_hook(Box::new(|_| {}));
    let mut s = 0u32;
    let mut words: HashMap<String, u32> = HashMap::with_capacity(10);
    for round in 0..6u32 {
        let out = Rc::new(RefCell::new(0));
        let mut q: VecDeque<Task> = VecDeque::new();
        for id in 0..12 {
            q.push_back(Box::pin(task(id + round, out.clone())));
        }
        execute(q);
        s ^= *out.borrow();
        let shape = build(3, round);
        s = s.wrapping_add(
            panic::catch_unwind(panic::AssertUnwindSafe(|| shape.area(round))).unwrap_or(7),
        );
        *words.entry(format!("w{}", round % 7)).or_default() += s % 100;
        let mut v: Vec<u32> = (0..60).map(|j| (j * 7919 + round) % 101).collect();
        v.sort_by(|a, b| mix(*a % 10).cmp(&mix(*b % 10)).then(a.cmp(b)));
        s = s.wrapping_add(v[5]);
    }
    println!("{}", s.wrapping_add(words.values().sum::<u32>()) | 1);
}
