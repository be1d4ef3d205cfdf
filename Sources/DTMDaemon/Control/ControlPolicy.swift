internal import DTMControl
internal import DTMSystem

/// Who may do what over the control socket.
///
/// Root and the daemon's user may do all; the owner of a folder's repository may act on that
/// folder; everybody may ask who is there (`GetInfo`).
struct ControlPolicy: Sendable {
  let daemonUser: UInt32

  /// May do all.
  func isAdministrator(_ peer: PeerCredentials) -> Bool {
    peer.uid == 0 || peer.uid == daemonUser
  }

  /// `owner`: nil while it is not known whose the repository is.
  func mayUse(_ peer: PeerCredentials, owner: FolderOwner?) -> Bool {
    isAdministrator(peer) || owner?.uid == peer.uid
  }

  static let refusal = DaemonFault.permissionDenied(
    reason: "only root and the owner of the folder's repository may do that")

  static let adminRefusal = DaemonFault.permissionDenied(
    reason: "only root and the daemon's user may do that")
}
