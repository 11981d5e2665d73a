internal import SalvorMessages
internal import SwiftProtobuf

extension Salvor_V1_Outcome {
    /// How work on a disk that ended by an error is told: the one table from codes to kinds.
    ///
    /// - Parameters:
    ///   - step: where it ended.
    ///   - place: on which volume.
    ///   - state: what was left in which state, where the error itself does not say.
    static func ended(
        by error: AgentError, in step: String, where place: String = "", leaving state: String = "",
        changed: Bool = false
    ) -> Salvor_V1_Outcome {
        .with {
            $0.kind = kind(of: error.code)
            $0.message = [place.isEmpty ? "" : "On \(place):", error.message, state].filter { !$0.isEmpty }
                .joined(separator: " ")
            $0.nextStep = error.nextStep
            if $0.kind == .failed { $0.failedStep = step }
            $0.diskChanged = changed
        }
    }

    private static func kind(of code: AgentError.Code) -> Kind {
        switch code {
        case .hibernated, .unclean, .mountedReadOnly: .unclean
        case .locked: .locked
        case .cannotUnlock: .cannotUnlock
        case .ambiguousPath, .unknownWindows: .ambiguous
        case .notWindows, .notNTFS: .notWindows
        default: .failed
        }
    }
}

extension AgentError {
    var isAmbiguous: Bool { code == .ambiguousPath || code == .linkInPath }
}
