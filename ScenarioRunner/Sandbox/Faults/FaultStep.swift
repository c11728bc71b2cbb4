/// The points in the lives of the lab's faults between which the runner may die: at each, something on the machine is
/// other than before. This is the only list of them.
public enum FaultStep: String, Sendable, CaseIterable {
    /// The replicas are chosen; nothing has changed yet.
    case chosen
    case applied
    /// Verified as well.
    case inForce = "in-force"
    /// It is to go; nothing has been taken away yet.
    case leaving
    case gone

    // PacketLossFault
    case lossTableWritten = "loss-table-written"
    case lossTableDeleted = "loss-table-deleted"

    // PathImpairmentFault
    case pathWorkerStarted = "path-worker-started"
    case pathDevicesMade = "path-devices-made"
    case pathRouted = "path-routed"
    case pathTableWritten = "path-table-written"
    case pathTableDeleted = "path-table-deleted"
    case pathRoutesDeleted = "path-routes-deleted"
    case pathWorkerEnded = "path-worker-ended"

    // StressFault
    /// Each of them; it may not be in its replica's control group yet.
    case stressWorkerStarted = "stress-worker-started"
    case stressTookEffect = "stress-took-effect"
    case stressWorkersTold = "stress-workers-told"
    case stressWorkersEnded = "stress-workers-ended"

    // PodKillFault
    case killSent = "kill-sent"
    case killDone = "kill-done"
    case killWithdrawn = "kill-withdrawn"

    // PodFailureFault
    case replicaHeld = "replica-held"
    case replicasDown = "replicas-down"
    case replicaReleased = "replica-released"
    case replicasBack = "replicas-back"

    // Payment failures over time
    case modesSwitched = "modes-switched"
    case modesTakenUp = "modes-taken-up"
    case modesOff = "modes-off"
}

/// Is told each step as it is reached. Nobody listens but a test that builds the lab inside
/// `FaultHook.$reached.withValue`, and ends the process there.
public enum FaultHook {
    @TaskLocal public static var reached: @Sendable (FaultStep) async -> Void = { _ in }
}
