internal import Glibc
internal import SalvorAudit
internal import SalvorCoordinatorCore
internal import SalvorSystem

/// Asks the person at the terminal for keys, one machine after the other, without showing what is typed.
struct KeyPrompt: KeySource {
    let renderer: ProgressRenderer
    private let turn = Turn()

    init(renderer: ProgressRenderer) { self.renderer = renderer }

    var name: String { "the terminal" }

    func keys(for request: KeyRequest) async throws(CoordinatorError) -> [VolumeKey] {
        let wanted = request.protectors.filter { [.recoveryPassword, .password].contains($0.kind) }
        guard StandardStreams.inputIsTerminal, !wanted.isEmpty else { return [] }
        await turn.begin()
        renderer.pause()
        let keys = await Blocking.run { ask(request.machine.name, wanted) }
        renderer.resume()
        await turn.end()
        return keys
    }

    /// Blocking. The first key that is given is enough.
    private func ask(_ machine: String, _ wanted: [KeyRequest.Protector]) -> [VolumeKey] {
        StandardStreams.note(
            "The disk of \(printable(machine)) is locked by BitLocker. An empty line passes a key over.")
        for protector in wanted {
            StandardStreams.write("  \(protector.kind.rawValue) \(protector.guid): ", to: STDERR_FILENO)
            guard let secret = Self.readLineWithoutEcho(), secret.count > 0 else { continue }
            let kind: VolumeKey.Kind = protector.kind == .password ? .password : .recoveryPassword
            return [VolumeKey(kind, protector: protector.guid, secret: secret)]
        }
        return []
    }

    /// One line from the terminal into locked memory, byte by byte; nil at its end.
    private static func readLineWithoutEcho() -> SecretBytes? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        silent.c_lflag |= tcflag_t(ECHONL)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { return nil }
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        var count = 0
        var hasEnded = false
        let line = SecretBytes(count: 1024) { (bytes) in
            while count < bytes.count {
                let got = read(STDIN_FILENO, bytes.baseAddress?.advanced(by: count), 1)
                if got < 0, errno == EINTR { continue }
                hasEnded = got <= 0
                if hasEnded || bytes[count] == 0x0A { return }
                count += 1
            }
        }
        return hasEnded && count == 0 ? nil : line.withBytes { SecretBytes($0.prefix(count)) }
    }
}

/// One after the other, in the order of coming.
private actor Turn {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func begin() async {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
    }

    func end() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
