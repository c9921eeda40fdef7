import {
  attachmentKeys,
  dependencyKeys,
  envFileKeys,
  fileMountKeys,
  healthcheckKeys,
  loggingKeys,
  mountBindKeys,
  mountKeys,
  mountTmpfsKeys,
  mountVolumeKeys,
  portKeys,
  ulimitKeys,
} from './entries.ts';
import type { KeyTable } from './rule.ts';
import { serviceKeys } from './service.ts';
import { boundedKeys, configKeys, ipamConfigKeys, ipamKeys, networkKeys, secretKeys, topKeys, volumeKeys } from './top.ts';

/** All tables under the headings they have in the documentation. */
export const subset: Readonly<Record<string, KeyTable>> = {
  'Top level': topKeys,
  'services.NAME': serviceKeys,
  'services.NAME.healthcheck': healthcheckKeys,
  'services.NAME.depends_on.NAME': dependencyKeys,
  'services.NAME.ports[]': portKeys,
  'services.NAME.volumes[]': mountKeys,
  'services.NAME.volumes[].bind': mountBindKeys,
  'services.NAME.volumes[].volume': mountVolumeKeys,
  'services.NAME.volumes[].tmpfs': mountTmpfsKeys,
  'services.NAME.networks.NAME': attachmentKeys,
  'services.NAME.configs[], services.NAME.secrets[]': fileMountKeys,
  'services.NAME.ulimits.NAME': ulimitKeys,
  'services.NAME.env_file[]': envFileKeys,
  'services.NAME.logging': loggingKeys,
  'networks.NAME': networkKeys,
  'networks.NAME.ipam': ipamKeys,
  'networks.NAME.ipam.config[]': ipamConfigKeys,
  'volumes.NAME': volumeKeys,
  'volumes.NAME.x-subjectd': boundedKeys,
  'configs.NAME': configKeys,
  'secrets.NAME': secretKeys,
};
