internal import DTMControl
package import DTMSystem
package import SystemPackage

/// Bounds of the control server.
package struct ControlLimits: Sendable {
  /// Connections at a time, all users together; root and the daemon's user are let in beyond.
  package var connections = 1000
  /// Connections at a time of a user who is neither root nor the daemon's.
  package var connectionsOfAUser = 64
  /// Those of a user whose repository the daemon uses: each `dtm run` holds one for as long as it runs.
  package var connectionsOfAnOwner = 4096
  /// How long half a message, or an answer that is not fetched, is waited for.
  package var stall = Duration.seconds(30)

  package init() {}
}

/// Serves the control socket: one thread, poll(2), and no wake-up while nobody asks anything.
///
/// Slow, silent, oversized and malformed clients cost nothing to the others: nothing here blocks,
/// each connection holds at most one call and one answer (or a stream's bounded queue), and whoever
/// begins a message and does not end it is given up.
package final class ControlServer: Sendable {
  private let wake: WakeSignal
  private let isStopping = Monitor(false)
  private let beats = Monitor(Beats())
  private let thread: DedicatedThread

  /// Signs of life that were asked for, and given.
  fileprivate struct Beats: Sendable {
    var asked: UInt64 = 0
    var given: UInt64 = 0
  }

  /// Serves at once. `daemonUser`: whose connections are not limited, beside root's.
  package init(
    listener: UnixListener, handler: any ControlHandler, daemonUser: UInt32,
    limits: ControlLimits = ControlLimits()
  ) throws(Errno) {
    let wake = try WakeSignal()
    let isStopping = isStopping
    let beats = beats
    self.wake = wake
    thread = try DedicatedThread(named: "control") {
      var loop = ControlLoop(
        listener: listener, handler: handler, wake: wake, daemonUser: daemonUser, limits: limits)
      loop.run {
        beats.update { $0.given = $0.asked }
        return isStopping.withLock { $0 }
      }
    }
  }

  /// Refuses new connections, sends the answers that are there, ends all connections, and returns.
  package func stop() {
    isStopping.update { $0 = true }
    wake.signal()
    thread.join()
  }
}

extension ControlServer: Pulse {
  package var part: String { "the control socket" }

  package func isAlive(until deadline: Deadline) -> Bool {
    let ticket = beats.update { beats in
      beats.asked += 1
      return beats.asked
    }
    wake.signal()
    return beats.wait(until: deadline) { $0.given >= ticket ? true : nil } ?? false
  }
}

/// What the server's thread does.
private struct ControlLoop {
  /// How many connections are accepted before the others have their turn.
  private static let acceptedAtOnce = 32
  /// How long no connection is accepted after the system had no descriptor left.
  private static let acceptPause = Duration.seconds(1)
  /// How long answers may take at the end.
  private static let farewell = Duration.seconds(2)

  private let listener: UnixListener
  private let handler: any ControlHandler
  private let wake: WakeSignal
  private let outbox: ControlOutbox
  private let daemonUser: UInt32
  private let limits: ControlLimits

  private var connections: [UInt64: ControlConnection] = [:]
  private var connectionsOfUser: [UInt32: Int] = [:]
  private var lastConnection: UInt64 = 0
  private var acceptAgain: Deadline?

  init(
    listener: UnixListener, handler: any ControlHandler, wake: WakeSignal, daemonUser: UInt32,
    limits: ControlLimits
  ) {
    self.listener = listener
    self.handler = handler
    self.wake = wake
    self.daemonUser = daemonUser
    self.limits = limits
    outbox = ControlOutbox(wake: wake)
  }

  mutating func run(isStopping: () -> Bool) {
    while !isStopping() { turn(accepts: true, until: .never) }
    let deadline = Deadline.after(Self.farewell)
    deliver()
    while connections.values.contains(where: \.hasOutput), !deadline.isPast {
      turn(accepts: false, until: deadline)
    }
    for id in Array(connections.keys) { close(id) }
  }

  /// Waits until something is to be done, and does it.
  private mutating func turn(accepts: Bool, until limit: Deadline) {
    if acceptAgain?.isPast == true { acceptAgain = nil }
    let listens = accepts && acceptAgain == nil
    let ids = Array(connections.keys)
    var entries = [
      PollEntry(wake.descriptor, .readable),
      PollEntry(listens ? listener.descriptor : -1, .readable),
    ]
    var deadline = limit.orEarlier(acceptAgain ?? .never)
    for id in ids {
      guard let connection = connections[id] else { continue }
      entries.append(PollEntry(connection.stream.descriptor, connection.wanted))
      if let patience = connection.patience { deadline = deadline.orEarlier(patience) }
    }
    do throws(Errno) {
      _ = try Poll.wait(for: &entries, until: deadline)
    } catch {
      // Only a lack of memory can make poll(2) fail here, and that passes.
      return
    }
    if !entries[0].found.isEmpty { wake.clear() }
    deliver()
    for (id, entry) in zip(ids, entries.dropFirst(2)) { serve(id, entry.found) }
    if !entries[1].found.isEmpty { accept() }
  }

  /// Hands the answers that came to their connections.
  private mutating func deliver() {
    let (answers, streams) = outbox.take()
    for (id, bytes) in answers {
      guard let reply = connections[id]?.pending else { continue }
      connections[id]?.endings += reply.takeEndings()
      perform(connections[id]?.answer(bytes), for: id)
    }
    for id in streams { perform(connections[id]?.pull(), for: id) }
  }

  private mutating func serve(_ id: UInt64, _ found: PollEntry.Events) {
    guard let connection = connections[id] else { return }
    if connection.patience?.isPast == true { return close(id) }
    if found.isEmpty { return }
    if found.contains(.readable) {
      perform(connections[id]?.receive(), for: id)
    } else if found.contains(.writable) {
      perform(connections[id]?.flush(), for: id)
    } else {
      // Gone, with a call unanswered or an answer unread.
      close(id)
    }
  }

  private mutating func perform(_ step: ControlConnection.Step?, for id: UInt64) {
    switch step {
    case .none, .goOn: break
    case .close: close(id)
    case .call(let call): self.call(call, for: id)
    }
  }

  /// Answers come through the outbox, those of this thread too: so one who sends many calls at once
  /// has one of them served in a turn.
  private mutating func call(_ call: VarlinkCall, for id: UInt64) {
    guard let peer = connections[id]?.peer else { return }
    let reply = ControlReply(
      peer: peer, connection: id, isOneway: call.oneway, outbox: outbox)
    connections[id]?.pending = reply
    do throws(DaemonFault) {
      handler.handle(try DaemonCall(call), reply: reply)
    } catch {
      reply.fail(error)
    }
  }

  private mutating func accept() {
    for _ in 0..<Self.acceptedAtOnce {
      do throws(Errno) {
        guard let stream = try listener.accept() else { return }
        let peer = try stream.peerCredentials()
        if !admits(peer) { continue }
        lastConnection += 1
        connections[lastConnection] = ControlConnection(
          stream: stream, peer: peer, stallLimit: limits.stall)
        connectionsOfUser[peer.uid, default: 0] += 1
      } catch {
        // No descriptor or memory is left: those who are here go on, the others wait.
        acceptAgain = .after(Self.acceptPause)
        return
      }
    }
  }

  private func admits(_ peer: PeerCredentials) -> Bool {
    if peer.uid == 0 || peer.uid == daemonUser { return true }
    let own = connectionsOfUser[peer.uid, default: 0]
    if connections.count < limits.connections, own < limits.connectionsOfAUser { return true }
    return own < limits.connectionsOfAnOwner && handler.isOwner(peer.uid)
  }

  private mutating func close(_ id: UInt64) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    connection.pending?.abandon()
    for ending in connection.endings + (connection.pending?.takeEndings() ?? []) { ending() }
    let left = connectionsOfUser[connection.peer.uid, default: 1] - 1
    connectionsOfUser[connection.peer.uid] = left == 0 ? nil : left
  }
}
