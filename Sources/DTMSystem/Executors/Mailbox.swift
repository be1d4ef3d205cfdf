/// A bounded queue of messages from many threads to one.
///
/// When it is full, `offer` refuses: the sender decides (drop, fold into what is there, answer
/// "busy"). Nothing blocks but `receive`.
package final class Mailbox<Element: Sendable>: Sendable {
  /// What `receive` found.
  package enum Received: Sendable {
    case element(Element)
    case timedOut
    /// The mailbox is closed and everything in it was received.
    case closed
  }

  private struct State {
    var elements: [Element] = []
    var taken = 0
    var isClosed = false

    var count: Int { elements.count - taken }

    /// The first element; the storage is compacted when half of it is taken.
    mutating func removeFirst() -> Element? {
      if taken == elements.count { return nil }
      let element = elements[taken]
      taken += 1
      if taken == elements.count {
        elements.removeAll(keepingCapacity: elements.count <= 64)
        taken = 0
      } else if taken >= 32, taken * 2 >= elements.count {
        elements.removeFirst(taken)
        taken = 0
      }
      return element
    }
  }

  /// How many messages it holds at most.
  package let capacity: Int
  private let monitor = Monitor(State())

  package init(capacity: Int) {
    precondition(capacity > 0, "a mailbox holds at least one message")
    self.capacity = capacity
  }

  /// Puts a message at the end; false when the mailbox is full or closed.
  @discardableResult
  package func offer(_ element: Element) -> Bool {
    monitor.update { state in
      if state.isClosed || state.count >= capacity { return false }
      state.elements.append(element)
      return true
    }
  }

  /// Takes the first message, waiting for one until the deadline.
  package func receive(until deadline: Deadline = .never) -> Received {
    let received: Received? = monitor.wait(until: deadline) { state in
      if let element = state.removeFirst() { return .element(element) }
      return state.isClosed ? .closed : nil
    }
    return received ?? .timedOut
  }

  /// Refuses further messages; those inside are still received.
  package func close() {
    monitor.update { $0.isClosed = true }
  }
}
