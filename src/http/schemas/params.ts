import { Type } from 'typebox';

// Not narrowed on purpose: a name that cannot exist is not found, it is not a bad request.
const subject = Type.String({ description: 'Name of the subject.', examples: ['etcd'] });

export const SubjectParams = Type.Object({ subject });
export const FaultParams = Type.Object({ subject, fault: Type.String({ description: 'Id of the fault (`flt_…`).' }) });
export const CaptureParams = Type.Object({ subject, capture: Type.String({ description: 'Id of the capture (`cap_…`).' }) });
export const ComparisonParams = Type.Object({
  subject,
  capture: Type.String({ description: 'Id of the capture to start from, of this subject.' }),
  other: Type.String({ description: 'Id of the capture to compare it with, of any subject of the same kind.' }),
});
export const KindParams = Type.Object({ kind: Type.String({ description: 'Name of the kind.', examples: ['etcd'] }) });
export const OperationParams = Type.Object({ operation: Type.String({ description: 'Id of the operation (`op_…`).' }) });
