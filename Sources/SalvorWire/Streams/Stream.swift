/// One call on a connection.
struct Stream: Sendable {
    var send: SendHalf
    var receive: ReceiveHalf

    init(role: Role, peer: PeerSettings, limits: Limits) {
        send = SendHalf(
            state: role == .caller ? .open : .awaitingHeaders, window: peer.initialStreamWindow)
        receive = ReceiveHalf(
            state: role == .caller ? .awaitingHeaders : .betweenMessages, window: limits.initialStreamWindow)
    }
}
