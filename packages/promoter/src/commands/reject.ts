/** `sealane reject`. */
import { approvalCommand } from '../approval/approval-command.js';

export const command = approvalCommand('reject');
