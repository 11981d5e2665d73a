import Foundation
import SalvorWire

/// Who may send which code in which frame: the table of SPEC.md's E-2.
struct ErrorCodeTable {
    struct Senders {
        let name: String
        let reset: String
        let goAway: String
    }

    let rows: [UInt32: Senders]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let spec = try String(contentsOf: root.appending(path: "Protocol/SPEC.md"), encoding: .utf8)
        let found = spec.matches(of: /\n\| ([0-9]+) \| ([A-Z_]+) \| (\w*) ?\| (\w*) ?\| [A-Z_]+ \|/)
        rows = Dictionary(
            found.compactMap { match in
                UInt32(match.1).map { ($0, Senders(name: "\(match.2)", reset: "\(match.3)", goAway: "\(match.4)")) }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Frames that their sender had no right to.
    func breaches(_ frames: [Frame], from sender: Role) -> [Frame] {
        frames.filter { frame in
            switch frame {
            case .reset(_, let code): !isAllowed(rows[code.rawValue]?.reset, sender)
            case .goAway(let goAway): !isAllowed(rows[goAway.code.rawValue]?.goAway, sender)
            default: false
            }
        }
    }

    private func isAllowed(_ senders: String?, _ sender: Role) -> Bool { senders == "both" || senders == "\(sender)" }
}
