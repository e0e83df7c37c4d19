/** `sealane approve`. */
import { approvalCommand } from '../approval/approval-command.js';

export const command = approvalCommand('approve');
