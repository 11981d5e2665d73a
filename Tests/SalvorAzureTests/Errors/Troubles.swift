import AzureEmulator
import SalvorCoordinatorCore
import Testing

/// What goes wrong with a call, and what is to come of it.
struct Trouble: Sendable, CustomTestStringConvertible {
    enum Way: Sendable {
        /// Azure refuses the call, which has no effect.
        case refused(status: Int, retryAfter: Int64? = nil)
        /// The call has its effect, and its answer never comes.
        case lostAfter
        /// The call never reaches Azure.
        case lostBefore
        /// Azure has the call and never answers.
        case hangs
        /// Azure begins the work, which ends with the error.
        case failsLater
    }

    var name: String
    var way: Way
    /// Azure's own code; empty where there is none.
    var code = ""
    var message = ""
    /// What the operation ends with; nil where the call is made again and succeeds.
    var ends: ProviderError.Code?
    /// Words of the next step.
    var advice = ""

    var testDescription: String { name }

    static func refusal(
        _ status: Int, _ code: String, _ message: String, ends: ProviderError.Code? = nil, advice: String = "",
        retryAfter: Int64? = nil
    ) -> Trouble {
        Trouble(
            name: "\(status) \(code): \(message)", way: .refused(status: status, retryAfter: retryAfter), code: code,
            message: message, ends: ends, advice: advice)
    }
}

extension Trouble {
    static let all: [Trouble] = [
        .refusal(
            409, "ConflictingUserInput", "Disk 'd' cannot be attached as the disk is already owned by VM 'v'.",
            ends: .conflict, advice: "detach it there"),
        .refusal(
            409, "AttachDiskWhileBeingDetached",
            "Cannot attach data disk 'd' to VM 'v' because the disk is currently being detached."),
        .refusal(
            409, "OperationNotAllowed", "Disk d is attached to VM v.", ends: .conflict, advice: "Detach the disk"),
        .refusal(
            409, "OperationNotAllowed",
            "The maximum number of data disks allowed to be attached to a VM of this size is 4.", ends: .unsupported,
            advice: "--size"),
        .refusal(409, "OperationNotAllowed", "Another operation on this resource is in progress."),
        .refusal(
            409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.",
            ends: .conflict, advice: "state"),
        .refusal(
            409, "OperationNotAllowed",
            "Operation could not be completed as it results in exceeding approved Total "
                + "Regional Cores quota.", ends: .unsupported, advice: "quota"),
        .refusal(
            409, "SkuNotAvailable", "The requested size is currently not available in location 'westeurope'.",
            ends: .unsupported, advice: "--size"),
        .refusal(409, "Conflict", "Run command extension execution is in progress. Please wait for completion."),
        .refusal(
            409, "ScopeLocked", "The scope cannot perform the operation because following scope(s) are locked: 'x'.",
            ends: .unsupported, advice: "lock"),
        .refusal(
            409, "ResourceGroupBeingDeleted", "The resource group 'g' is in deprovisioning state.", ends: .conflict,
            advice: "group is gone"),
        .refusal(
            403, "RequestDisallowedByPolicy", "Resource 'd' was disallowed by policy.", ends: .unsupported,
            advice: "--tags"),
        .refusal(
            409, "PropertyChangeNotAllowed", "Changing property 'osDisk.createOption' is not allowed.", ends: .failed,
            advice: "request id"),
        .refusal(
            400, "InvalidParameter", "The value of parameter x is invalid.", ends: .failed, advice: "request id"),
        .refusal(412, "PreconditionFailed", "The condition was not met.", ends: .conflict, advice: "changed it"),
        .refusal(429, "TooManyRequests", "The request was throttled.", retryAfter: 2),
        .refusal(500, "InternalServerError", "An internal error occurred."),
        .refusal(503, "ServerBusy", "The server is busy.", retryAfter: 1),
        Trouble(name: "the answer is lost after the effect", way: .lostAfter),
        Trouble(name: "the call is lost before the effect", way: .lostBefore),
        Trouble(name: "there is no answer", way: .hangs),
        Trouble(
            name: "the work is begun and fails", way: .failsLater, code: "InternalExecutionError",
            message: "An internal execution error occurred.", ends: .failed),
    ]
}
