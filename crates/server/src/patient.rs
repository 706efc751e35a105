//! A stream with a write timeout that a slow reader cannot reset byte by byte.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Once a write has to wait, the other side has to take `bytes` within each `window`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) window: Duration,
    pub(crate) bytes: usize,
}

/// Fails with [`io::ErrorKind::TimedOut`] where the other side takes too little. Some progress is not enough: a client that takes
/// a byte now and then holds a connection as well as one that takes none.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    patience: Patience,
    /// Present since a write had to wait.
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    end: Pin<Box<Sleep>>,
    taken_bytes: usize,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Patience) -> Self {
        Self { stream, patience, window: None }
    }

    fn judge(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(window) = &mut self.window {
                    window.taken_bytes += bytes;
                    if window.taken_bytes >= self.patience.bytes {
                        self.window = None;
                    }
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return self.wait(cx),
        }
        written
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let window = self.window.get_or_insert_with(|| Window {
            end: Box::pin(sleep_until(Instant::now() + self.patience.window)),
            taken_bytes: 0,
        });
        match window.end.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, data);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.wait(cx),
            Poll::Ready(flushed) => {
                // All bytes were taken, so the next wait starts a new window.
                self.window = None;
                Poll::Ready(flushed)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => self.wait(cx),
            ended @ Poll::Ready(_) => ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Patience = Patience { window: Duration::from_secs(30), bytes: 1_000 };

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_times_out() {
        let (stream, _other) = duplex(100);
        let mut stream = Patient::new(stream, PATIENCE);
        let error = stream.write_all(&[0; 200]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_a_byte_now_and_then_times_out() {
        let (stream, mut other) = duplex(100);
        let mut stream = Patient::new(stream, PATIENCE);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if other.read_u8().await.is_err() {
                    break;
                }
            }
        });
        let error = stream.write_all(&[0; 100_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_that_keeps_reading_gets_everything() {
        let (stream, mut other) = duplex(100);
        let mut stream = Patient::new(stream, PATIENCE);
        let reading = tokio::spawn(async move {
            let (mut taken, mut buffer) = (0, [0; 100]);
            while taken < 100_000 {
                tokio::time::sleep(Duration::from_secs(2)).await;
                taken += other.read(&mut buffer).await.unwrap();
            }
        });
        stream.write_all(&[0; 100_000]).await.unwrap();
        stream.flush().await.unwrap();
        reading.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_between_two_answers_does_not_count() {
        let (stream, mut other) = duplex(100);
        let mut stream = Patient::new(stream, PATIENCE);
        let reading = tokio::spawn(async move {
            let mut buffer = [0; 150];
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                other.read_exact(&mut buffer).await.unwrap();
            }
        });
        for _ in 0..2 {
            stream.write_all(&[0; 150]).await.unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        reading.await.unwrap();
    }
}
