//! What befalls the operator's own requests: sent twice, or answered in vain.

use http::Method;
use std::cell::{Cell, RefCell};

/// What is to befall the next requests.
#[derive(Debug, Default)]
pub struct Trouble {
    twice: Cell<(u32, bool)>,
    lost: Cell<u32>,
    /// The key of the last request whose answer was lost: asked for again, it is answered.
    lost_key: RefCell<String>,
}

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Plain,
    /// It reaches the service twice.
    Twice {
        /// Both at the same time; otherwise the second after the first was answered.
        at_once: bool,
    },
    /// It has its effect, and the answer is lost.
    AnswerLost,
}

impl Trouble {
    /// The next requests that change something are sent twice.
    pub fn twice(&self, requests: u32, at_once: bool) {
        self.twice.set((requests, at_once));
    }

    /// The answers of the next requests that bear a key are lost.
    pub fn lose(&self, requests: u32) {
        self.lost.set(requests);
    }

    /// Nothing befalls the next requests.
    pub fn clear(&self) {
        self.twice.set((0, false));
        self.lost.set(0);
    }

    /// What befalls the next request. An answer is lost only where the request bears a key, by which it can be made again
    /// without harm, and once for each key.
    #[must_use]
    pub fn next(&self, method: &Method, key: Option<&str>) -> Fate {
        if *method == Method::GET {
            return Fate::Plain;
        }
        if let (Some(left), Some(key)) = (self.lost.get().checked_sub(1), key)
            && *self.lost_key.borrow() != key
        {
            self.lost.set(left);
            key.clone_into(&mut self.lost_key.borrow_mut());
            return Fate::AnswerLost;
        }
        match self.twice.get() {
            (0, _) => Fate::Plain,
            (left, at_once) => {
                self.twice.set((left - 1, at_once));
                Fate::Twice { at_once }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_lost_only_where_the_request_can_be_made_again() {
        let trouble = Trouble::default();
        trouble.lose(1);
        assert_eq!(trouble.next(&Method::GET, None), Fate::Plain);
        assert_eq!(trouble.next(&Method::POST, None), Fate::Plain);
        assert_eq!(trouble.next(&Method::POST, Some("k")), Fate::AnswerLost);
        assert_eq!(trouble.next(&Method::POST, Some("l")), Fate::Plain);
    }

    #[test]
    fn what_is_asked_for_again_with_its_key_is_answered() {
        let trouble = Trouble::default();
        trouble.lose(2);
        assert_eq!(trouble.next(&Method::POST, Some("k")), Fate::AnswerLost);
        assert_eq!(trouble.next(&Method::POST, Some("k")), Fate::Plain);
        assert_eq!(trouble.next(&Method::POST, Some("l")), Fate::AnswerLost);
        assert_eq!(trouble.next(&Method::POST, Some("m")), Fate::Plain);
    }

    #[test]
    fn so_many_requests_are_sent_twice_and_no_more() {
        let trouble = Trouble::default();
        trouble.twice(1, true);
        assert_eq!(trouble.next(&Method::GET, None), Fate::Plain);
        assert_eq!(trouble.next(&Method::DELETE, None), Fate::Twice { at_once: true });
        assert_eq!(trouble.next(&Method::DELETE, None), Fate::Plain);
        trouble.twice(5, false);
        trouble.clear();
        assert_eq!(trouble.next(&Method::PUT, None), Fate::Plain);
    }
}
