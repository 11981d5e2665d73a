/// How long each call may take. Generous: a rescue VM without KVM is ten times slower than one with it.
package struct AgentDeadlines: Hashable, Sendable {
    package var version = Duration.seconds(20)
    package var inventory = Duration.seconds(60)
    package var scan = Duration.seconds(600)
    /// A password is stretched for a second, or emulated for half a minute, and there can be some.
    package var unlock = Duration.seconds(900)
    package var forgetKeys = Duration.seconds(20)
    package var apply = Duration.seconds(1800)
    package var fetchQuarantine = Duration.seconds(1800)
    package var storeQuarantine = Duration.seconds(1800)
    package var discardQuarantine = Duration.seconds(60)
    package var powerOff = Duration.seconds(20)

    package init() {}
}
