import { Capture, CaptureList, CaptureRequest, CaptureSummary, Comparison, Fingerprint } from './capture.ts';
import { ChaosType, ChaosTypeList } from './chaos-type.ts';
import { Event, EventList } from './event.ts';
import { Fault, FaultList, FaultPlan, FaultRenewal, HealedFaults } from './fault.ts';
import { FaultRequest, Target } from './fault-request.ts';
import { Health, State } from './health.ts';
import { Kind, KindList } from './kind.ts';
import { Operation } from './operation.ts';
import { Problem } from './problem.ts';
import { NewSubject, Reset, ResetRequest, Subject, SubjectList } from './subject.ts';
import { Alive, Index, Ready } from './system.ts';
import type { Component } from './types.ts';

/** All named schemas of the contract. */
export const components: readonly Component<unknown>[] = [
  Alive,
  Capture,
  CaptureList,
  CaptureRequest,
  CaptureSummary,
  ChaosType,
  ChaosTypeList,
  Comparison,
  Event,
  EventList,
  Fault,
  FaultList,
  FaultPlan,
  FaultRenewal,
  FaultRequest,
  Fingerprint,
  HealedFaults,
  Health,
  Index,
  Kind,
  KindList,
  NewSubject,
  Operation,
  Problem,
  Ready,
  Reset,
  ResetRequest,
  State,
  Subject,
  SubjectList,
  Target,
];
